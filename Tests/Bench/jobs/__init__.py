from jobs import appointments, care, patients, queue

_all = {job.name: job for noun in (patients, appointments, queue, care) for job in noun.JOBS}
ORDER = ["read", "book", "login", "search-exact", "search-prefix", "search-misspelt", "slots", "reschedule", "checkin", "next", "board", "visit", "pay", "dispense"]
JOBS = {name: _all[name] for name in ORDER}
