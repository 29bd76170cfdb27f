using static TorchSharp.torch;

namespace Numbers;

/// <summary>What stands alone.</summary>
internal static class Library
{
    public static string TalesFolder => TalesModel.Folder;

    public static string ShapesFolder => ShapesModel.Folder;

    /// <summary>The name of Tales in options.</summary>
    public static string Tales => PretrainedModels.Tales;

    public static int[] Tokenize(string folder, string text) => TextTokenizer.Load(folder).Encode(text);

    public static string Detokenize(string folder, int[] ids) => TextTokenizer.Load(folder).Decode(ids);

    /// <summary>Ids and masks of texts in one batch, padded on the left to a multiple of 8, 40 tokens at most.</summary>
    public static (long[] Ids, long[] Mask) TokenizeBatch(string folder, string[] texts)
    {
        var batch = TextTokenizer.Load(folder).EncodeBatch(texts, new EncodingOptions
        {
            MaximumLength = 40, PaddingSide = SequenceSide.Left, PadToMultipleOf = 8, PaddingId = 0,
        });
        return (batch.InputIds, batch.AttentionMask);
    }

    /// <summary>Tensors of a safetensors file.</summary>
    public static Dictionary<string, Tensor> ReadTensors(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Tensors.Keys.ToDictionary(name => name, name => file.Read(name).clone()); // they may share the file's memory
    }

    /// <summary>A whole checkpoint: a folder in any layout.</summary>
    public static Dictionary<string, Tensor> ReadCheckpoint(string folder)
    {
        using var checkpoint = Checkpoint.Open(folder);
        return checkpoint.Tensors.Keys.ToDictionary(name => name, name => checkpoint.Read(name).clone());
    }

    public static void WriteTensors(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors) => SafetensorsWriter.Write(path, tensors);

    public static TextRow[] Blocks(int[] ids, int length) => [.. TrainingExamples.Blocks(ids, length).Select(FromExample)];

    public static TextRow[] Document(int[] ids, int length) => [.. TrainingExamples.Document(ids, length).Select(FromExample)];

    public static TextRow Completion(int[] prompt, int[] completion, int length) => FromExample(TrainingExamples.Completion(prompt, completion, length));

    public static TextRow[] Pack(IEnumerable<TextRow> rows, int length) => [.. TrainingExamples.Pack(rows.Select(ToExample), length).Select(FromExample)];

    internal static TrainingExample ToExample(TextRow row) => new(row.Ids, row.Labels, row.Sequences);

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

    internal static Continuation[] FromTexts(IReadOnlyList<IReadOnlyList<GeneratedText>> texts) =>
        [.. texts.SelectMany(sequences => sequences).Select(text => new Continuation(
            text.Text, [.. text.TokenIds], [.. text.LogProbabilities], text.FinishReason.ToString(), text.SequenceScore))];

    internal static LoraOptions ToOptions(Adapters adapters) => new()
    {
        Rank = adapters.Rank, Alpha = adapters.Alpha, Dropout = adapters.Dropout, TargetModules = adapters.Targets, RankStabilized = adapters.RankStabilized,
    };

    private static TextRow FromExample(TrainingExample example) => new(example.InputIds, example.Labels, example.SequenceIds);
}
