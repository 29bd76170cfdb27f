using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;

namespace MLTransfer.Torch.Tests.Training.Preferences;

/// <summary>Pairs of texts of a small part of a vocabulary, of several lengths, with prompts of several lengths.</summary>
internal static class TinyPairs
{
    public static IReadOnlyList<PreferencePair> Training { get; } = Create(count: 10, seed: 1);

    public static IReadOnlyList<PreferencePair> Validation { get; } = Create(count: 3, seed: 2);

    /// <param name="count">How many.</param>
    /// <param name="seed">Of the draws.</param>
    /// <param name="decoderStart">The first token of a decoder beside an encoder; null for a decoder alone.</param>
    public static IReadOnlyList<PreferencePair> Create(int count, int seed, int? decoderStart = null)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var prompt = Ids(2, 6);
            return new PreferencePair(Text(prompt, Ids(1, 9)), Text(prompt, Ids(1, 9)));
        })];

        int[] Ids(int shortest, int longest) =>
            [.. Enumerable.Range(0, random.Next(shortest, longest + 1)).Select(_ => random.Next(30, 70))];

        TrainingExample Text(int[] prompt, int[] written) => decoderStart is { } start ? TrainingExamples.Answer(prompt, written, start)
            : TrainingExamples.Completion(prompt, written, maximumLength: 20);
    }
}
