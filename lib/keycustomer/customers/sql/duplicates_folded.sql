-- Text as it is compared: lower case, full-width and accented letters plain, signs as one space,
-- no space inside Chinese text, nothing where the value only stands for "not known".
create or replace temp macro folded(value, placeholders) as (
    select nullif(trim(regexp_replace(
        regexp_replace(
            regexp_replace(plain, '(\p{{Han}}) (\p{{Han}})', '\1\2', 'g'),
            '(\p{{Han}}) (\p{{Han}})', '\1\2', 'g'
        ),
        ' +', ' ', 'g'
    )), '')
    from (
        select case
            when list_contains(placeholders, lower(trim(value))) then null
            else regexp_replace(
                strip_accents(translate(
                    replace(replace(replace(lower(nfc_normalize(value)), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
                    {wide}, {narrow}
                )),
                '[^\p{{L}}\p{{N}}]+', ' ', 'g'
            )
        end as plain
    )
)
