using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using Numbers.Settings;

namespace Numbers.Library;

/// <summary>Settings as options of the library, and what it returns as records of this program.</summary>
internal static class Conversions
{
    internal static GenerationOptions ToOptions(Decoding decoding) => new()
    {
        MaximumNewTokens = decoding.NewTokens,
        MinimumNewTokens = decoding.MinimumNewTokens,
        Sample = decoding.Sample,
        Temperature = decoding.Temperature,
        TopK = decoding.TopK,
        TopP = decoding.TopP,
        MinP = decoding.MinP,
        TypicalP = decoding.TypicalP,
        RepetitionPenalty = decoding.RepetitionPenalty,
        NoRepeatNgramSize = decoding.NoRepeatNgramSize,
        BeamCount = decoding.Beams,
        LengthPenalty = decoding.LengthPenalty,
        EarlyStopping = Enum.Parse<EarlyStopping>(decoding.EarlyStopping),
        SequencesPerPrompt = decoding.Sequences,
        StopStrings = decoding.StopStrings,
        Seed = decoding.Seed,
        BatchSize = decoding.BatchSize,
    };

    internal static LoraOptions ToOptions(Adapters adapters) => new()
    {
        Rank = adapters.Rank, Alpha = adapters.Alpha, Dropout = adapters.Dropout, TargetModules = adapters.Targets,
        RankStabilized = adapters.RankStabilized,
    };

    internal static Continuation[] FromTexts(IReadOnlyList<IReadOnlyList<GeneratedText>> texts) =>
        [.. texts.SelectMany(sequences => sequences).Select(text => new Continuation(
            text.Text, [.. text.TokenIds], [.. text.LogProbabilities], text.FinishReason.ToString(), text.SequenceScore))];
}
