using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLTransfer.Onnx.Generation;

/// <summary>The inputs and outputs of a graph of the kind that Optimum calls text-generation-with-past.</summary>
internal sealed record DecoderSignature
{
    private const string InputIds = "input_ids";
    private const string AttentionMask = "attention_mask";
    private const string PositionIds = "position_ids";
    private const string Logits = "logits";

    // Of one position in one layer: memory is taken for it before the graph shows that it has so many. Published networks have 16,384.
    private const int MostCachedNumbers = 1 << 20;

    /// <summary>
    /// [batch, length] int64 three times, then for each layer past keys and values, [batch, heads, past length, head width].
    /// </summary>
    public required string[] InputNames { get; init; }

    /// <summary>Logits [batch, length, vocabulary], then for each layer keys and values of past and read positions.</summary>
    public required string[] OutputNames { get; init; }

    /// <summary>The heads of past keys and values.</summary>
    public required int Heads { get; init; }

    /// <summary>The width of one head.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>The element type of past keys and values: float32 or a type of two bytes.</summary>
    public required TensorElementType CacheType { get; init; }

    /// <summary>The element type of logits: float32 or float16.</summary>
    public required TensorElementType LogitsType { get; init; }

    /// <summary>The number of token ids.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The most positions that the network can see.</summary>
    public required int ContextLength { get; init; }

    /// <summary>The number of tensors of past keys and values.</summary>
    public int CacheTensors => OutputNames.Length - 1;

    /// <summary>The bytes that one position of one row takes in one tensor of past keys or values, all heads together.</summary>
    public long BytesPerPosition => (long)Heads * HeadWidth * (CacheType == TensorElementType.Float ? 4 : 2);

    /// <param name="session">The loaded graph.</param>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="origin">The graph's file, for error messages.</param>
    /// <exception cref="InvalidDataException">The graph is of another kind, or does not fit <c>config.json</c>.</exception>
    public static DecoderSignature Read(InferenceSession session, JsonObject configuration, string origin)
    {
        var (inputs, outputs) = (session.InputMetadata, session.OutputMetadata);
        foreach (var name in (string[])[InputIds, AttentionMask, PositionIds])
            Check(Find(inputs, "input", name), $"input '{name}'", [TensorElementType.Int64], [-1, -1], "[batch, length]");

        var layers = 0;
        while (inputs.ContainsKey(PastKey(layers)))
            layers++;
        string[] past = [.. Enumerable.Range(0, layers).SelectMany(layer => (string[])[PastKey(layer), $"past_key_values.{layer}.value"])];
        string[] present =
            [.. Enumerable.Range(0, layers).SelectMany(layer => (string[])[$"present.{layer}.key", $"present.{layer}.value"])];
        string[] inputNames = [InputIds, AttentionMask, PositionIds, .. past];
        if (layers == 0 || inputs.Keys.FirstOrDefault(name => !inputNames.Contains(name)) is not null)
            throw OtherKind("input", layers == 0 ? PastKey(0) : null, inputs);

        var first = Find(inputs, "input", past[0]);
        Check(first, $"input '{past[0]}'", [TensorElementType.Float, TensorElementType.Float16, TensorElementType.BFloat16], [-1, 0, -1, 0],
            "[batch, heads, past length, head width] with fixed heads and head width");
        var (heads, width) = (first.Dimensions[1], first.Dimensions[3]);
        if ((long)heads * width > MostCachedNumbers)
        {
            throw new InvalidDataException(
                $"{origin}: the graph's input '{past[0]}' has {heads} heads of width {width}; "
                + $"expected {MostCachedNumbers} numbers at most.");
        }

        foreach (var name in past)
            Check(Find(inputs, "input", name), $"input '{name}'", [first.ElementDataType], [-1, heads, -1, width],
                $"[batch, {heads}, past length, {width}]");
        foreach (var name in present)
        {
            if (Find(outputs, "output", name).ElementDataType != first.ElementDataType)
                throw Wrong($"output '{name}'", outputs[name], [first.ElementDataType], "that of its input");
        }

        var logits = Find(outputs, "output", Logits);
        Check(logits, $"output '{Logits}'", [TensorElementType.Float, TensorElementType.Float16],
            [-1, -1, logits.Dimensions is [.., > 0 and var last] ? last : -1],
            "[batch, length, vocabulary]");
        var vocabulary = Configured("vocab_size");
        if (logits.Dimensions[2] > 0 && logits.Dimensions[2] != vocabulary)
            throw new InvalidDataException(
                $"{origin}: the graph gives {logits.Dimensions[2]} logits, but config.json has vocab_size {vocabulary}.");
        return new DecoderSignature
        {
            InputNames = inputNames,
            OutputNames = [Logits, .. present],
            Heads = heads,
            HeadWidth = width,
            CacheType = first.ElementDataType,
            LogitsType = logits.ElementDataType,
            VocabularySize = vocabulary,
            ContextLength = Configured("n_positions", "max_position_embeddings"),
        };

        static string PastKey(int layer) => $"past_key_values.{layer}.key";

        NodeMetadata Find(IReadOnlyDictionary<string, NodeMetadata> nodes, string kind, string name) =>
            nodes.TryGetValue(name, out var node) && node.IsTensor ? node : throw OtherKind(kind, name, nodes);

        InvalidDataException OtherKind(string kind, string? missing, IReadOnlyDictionary<string, NodeMetadata> nodes) => new(
            $"{origin}: the graph is not one that generates text with past key values: "
            + (missing is null ? $"it has unknown {kind}s" : $"it has no {kind} '{missing}'")
            + $". Its {kind}s are {string.Join(", ", nodes.Keys.Select(name => $"'{name}'"))}; expected {InputIds}, {AttentionMask}, "
            + $"{PositionIds} and "
            + $"past_key_values.N.key and .value as inputs, {Logits} and present.N.key and .value as outputs.");

        // Of the expected extents -1 is one that must not be fixed, and 0 one that must be.
        void Check(NodeMetadata node, string what, TensorElementType[] types, int[] shape, string expected)
        {
            if (!types.Contains(node.ElementDataType) || node.Dimensions.Length != shape.Length
                || node.Dimensions.Zip(shape).Any(pair => pair.Second == 0 ? pair.First <= 0 : pair.First != pair.Second))
                throw Wrong(what, node, types, expected);
        }

        InvalidDataException Wrong(string what, NodeMetadata node, TensorElementType[] types, string expected) => new(
            $"{origin}: the graph's {what} is {node.ElementDataType}[{string.Join(", ", node.Dimensions)}] (-1 is an extent that varies); "
                + "expected "
            + $"{string.Join(" or ", types)} of shape {expected}.");

        int Configured(params string[] names)
        {
            var value = names.Select(name => configuration[name]).FirstOrDefault(node => node is not null);
            return value is JsonValue number && number.TryGetValue(out int count) && count is > 0 and <= 1 << 24
                ? count
                : throw new InvalidDataException(
                    $"{Path.GetDirectoryName(origin)}: config.json has {string.Join(" or ", names)} {value?.ToJsonString() ?? "missing"}; "
                        + $"expected 1 to {1 << 24}.");
        }
    }
}
