"""OpenCompass summaries: one table in three spellings, alone or in one text."""
