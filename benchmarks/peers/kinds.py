"""Kinds of key to block on, as SQL over cleaned crossings: whoever shares one is compared."""

KEYS = {
    "k_document": "document",
    "k_document_ocr": "document_ocr",
    "k_date_surname_sound": "birth_date || '|' || surname_sound",
    "k_date_given": "birth_date || '|' || left(given, 3)",
    "k_date_surname": "birth_date || '|' || left(surname, 3)",
    "k_names": "all_names",
    "k_date_nationality_sex": "birth_date || '|' || nationality || '|' || sex",
    "k_year_sound_initial": "birth_year || '|' || surname_sound || '|' || left(given, 1)",
    "k_year_given_initial": "birth_year || '|' || given_sound || '|' || left(surname, 1)",
    "k_days_initials": "loose_date || '|' || left(surname, 1) || '|' || left(given, 1)",
    "k_day_names": "right(birth_date, 5) || '|' || surname_sound || '|' || left(given, 1)",
    "k_surname_nationality_given": "surname_sound || '|' || given_sound || '|' || nationality",
    "k_document_head": "left(document_ocr, 6)",
    "k_document_tail": "right(document_ocr, 6)",
    "k_date_names_swapped": "birth_date || '|' || left(surname, 3)",
    "k_sounds_swapped": "birth_year || '|' || surname_sound || '|' || given_sound",
    "k_date_initial": "birth_date || '|' || left(surname, 1)",
}
# Where the departure's key is another expression than the arrival's: names entered swapped.
DEPARTURE_KEYS = {
    "k_date_names_swapped": "birth_date || '|' || left(given, 3)",
    "k_sounds_swapped": "birth_year || '|' || given_sound || '|' || surname_sound",
}
CAPPED = {
    "k_names", "k_date_nationality_sex", "k_year_sound_initial", "k_year_given_initial",
    "k_days_initials", "k_day_names", "k_surname_nationality_given",
    "k_document_head", "k_document_tail", "k_date_initial",
}  # fmt: skip
# Without the kinds that find next to nothing new: fewer strangers, and less work.
FEWER = (
    "k_document_ocr", "k_date_surname_sound", "k_date_given", "k_names", "k_date_nationality_sex",
    "k_year_sound_initial", "k_day_names", "k_date_names_swapped",
)  # fmt: skip
