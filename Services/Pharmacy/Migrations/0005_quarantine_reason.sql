-- Why a batch was set aside: the next pharmacist must know before releasing it.
alter table batch add column quarantine_reason text;

grant update (quarantine_reason) on batch to :service_role;
