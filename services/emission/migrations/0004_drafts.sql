-- A form may hold a word before its emission does: no table has one in plain text.
delete from drafts;
alter table drafts alter body type bytea using convert_to(body, 'UTF8');
