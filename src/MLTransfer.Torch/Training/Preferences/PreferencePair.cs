using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>Two texts of one prompt as a model reads them, of which one is preferred. Labels are the tokens behind the prompt.</summary>
/// <param name="Chosen">The prompt with the preferred text.</param>
/// <param name="Rejected">The prompt with the other one.</param>
public sealed record PreferencePair(TrainingExample Chosen, TrainingExample Rejected)
{
    /// <summary>The tokens of both.</summary>
    public int TokenCount => Chosen.TokenCount + Rejected.TokenCount;

    /// <summary>
    /// A pair of whole texts. The prompt that both have is what begins all three: a last token of it may be another one where a text goes
    /// on. What is longer than <paramref name="maximumLength"/> loses its end.
    /// </summary>
    /// <param name="prompt">The prompt's token ids.</param>
    /// <param name="chosen">Those of the prompt with the preferred text, made of one text.</param>
    /// <param name="rejected">Those of the prompt with the other text.</param>
    /// <param name="maximumLength">The most tokens of prompt and text.</param>
    /// <returns>Null where a text has no token behind the prompt, or the prompt alone fills a row.</returns>
    public static PreferencePair? FromWholeTexts(
        ReadOnlySpan<int> prompt, ReadOnlySpan<int> chosen, ReadOnlySpan<int> rejected, int maximumLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumLength, 2);
        var common = Math.Min(prompt.CommonPrefixLength(chosen), prompt.CommonPrefixLength(rejected));
        if (common >= maximumLength)
            return null;
        var pair = new PreferencePair(Row(chosen), Row(rejected));
        return pair.HasTokens ? pair : null;

        TrainingExample Row(ReadOnlySpan<int> ids)
        {
            int[] kept = [.. ids[..Math.Min(ids.Length, maximumLength)]];
            var labels = (int[])kept.Clone();
            labels.AsSpan(0, common).Fill(TrainingExample.Ignored);
            return new TrainingExample(kept, labels);
        }
    }

    /// <summary>Whether both texts have a token that is predicted.</summary>
    internal bool HasTokens => Chosen.PredictedTokens > 0 && Rejected.PredictedTokens > 0;
}
