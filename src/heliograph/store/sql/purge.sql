-- What is counted by spans of the calendar.

-- name: purge_volumes
DELETE FROM volumes WHERE until < $1;
