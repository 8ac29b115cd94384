-- The portal keeps nothing yet; its schema exists so that its role and migrations are like every other.
select 1;
