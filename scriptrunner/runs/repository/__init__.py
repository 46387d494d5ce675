"""All SQL of the record of runs, by what it is for.

Every transaction that changes a run reserves its numbers of the ``change`` counter first
(``changes.reserve``). That row is the lock under which writers take turns on PostgreSQL,
as they do anyway on SQLite, so a reader that has seen change n has seen all before it.
"""
