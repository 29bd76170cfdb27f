namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>Takes the most frequent words; of equally frequent ones the first in the order of code points.</summary>
internal static class WordLevelTraining
{
    /// <returns>The tokens by id.</returns>
    public static IReadOnlyList<string> Run(IReadOnlyList<(string Word, long Count)> words, TokenizerTrainingOptions options)
    {
        IReadOnlyList<string> special = options.Specials.All;
        return
        [
            .. special,
            .. words.Where(word => word.Count >= options.MinimumFrequency && !special.Contains(word.Word))
                .OrderByDescending(word => word.Count).ThenBy(word => word.Word, CodePointOrder.Instance)
                .Take(options.VocabularySize - special.Count).Select(word => word.Word),
        ];
    }
}
