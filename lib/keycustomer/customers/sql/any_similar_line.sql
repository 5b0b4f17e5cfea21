-- Is there any candidate? If not, the source need not be read again.
select 1 from work.similar_lines limit 1
