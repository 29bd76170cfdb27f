namespace MLTransfer.Text.Preferences;

/// <summary>The two ways in which columns say which texts are preferred.</summary>
internal static class PreferenceColumns
{
    /// <param name="chosen">The column of chosen texts.</param>
    /// <param name="rejected">The column of rejected texts.</param>
    /// <param name="ranked">The column of texts that are ranked.</param>
    /// <param name="score">What ranks them.</param>
    /// <param name="areNeeded">Whether there must be columns.</param>
    /// <exception cref="ArgumentException">Columns are not named, or not those of one of the ways; the message names them.</exception>
    public static void Check(string? chosen, string? rejected, string? ranked, string? score, bool areNeeded)
    {
        const string ways = "Name the columns of chosen and of rejected texts, or RankedColumnName with ScoreColumnName";
        OptionCheck.ColumnName("chosenColumnName", chosen);
        OptionCheck.ColumnName("rejectedColumnName", rejected);
        OptionCheck.ColumnName("RankedColumnName", ranked);
        OptionCheck.ColumnName("ScoreColumnName", score);
        if ((chosen is null) != (rejected is null))
            throw new ArgumentException($"{ways}; of the first two only '{chosen ?? rejected}' is named.");
        if ((ranked is null) != (score is null))
            throw new ArgumentException($"{ways}; of the last two only '{ranked ?? score}' is named.");
        if (chosen is not null && ranked is not null)
            throw new ArgumentException($"{ways}, not all four: '{chosen}' and '{ranked}' are both named.");
        if (areNeeded && chosen is null && ranked is null)
            throw new ArgumentException($"{ways}.");
    }
}
