using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>A file of a network's export.</summary>
/// <param name="Name">The name that Optimum gives it, without <c>.onnx</c>.</param>
/// <param name="Build">Puts its graph together.</param>
internal sealed record TransformerFile(string Name, Action<TransformerGraph> Build)
{
    /// <summary>The whole network, with the past where it is a decoder.</summary>
    public const string WholeName = "model";

    public const string EncoderName = "encoder_model";

    /// <summary>The file of a decoder that begins, whose keys and values <see cref="ContinuingName"/> takes.</summary>
    public const string BeginningName = "decoder_model";

    public const string ContinuingName = "decoder_with_past_model";

    private const string WithoutPastName = "model_without_past";

    /// <summary>Whether a file of an export has the name, which ends with <c>.onnx</c>.</summary>
    public static bool IsName(string name) => Path.GetExtension(name) == ".onnx"
        && Path.GetFileNameWithoutExtension(name) is WholeName or EncoderName or BeginningName or ContinuingName;

    /// <summary>The files that are always written, in the order of writing.</summary>
    public static IReadOnlyList<TransformerFile> Of(TransformerNetwork network) => network switch
    {
        _ when HasCrossAttention(network) =>
        [
            .. network.Description.Encoder is null ? [] : (TransformerFile[])[new(EncoderName, graph => graph.BuildEncoder())],
            new(BeginningName, graph => graph.BuildCrossDecoder(PastUse.Given)),
            new(ContinuingName, graph => graph.BuildCrossDecoder(PastUse.Continued)),
        ],
        CausalLanguageModel => [new(WholeName, graph => graph.BuildDecoder(PastUse.Continued))],
        _ => [new(WholeName, graph => graph.BuildEncoder())],
    };

    /// <summary>A decoder for hosts that feed no past.</summary>
    public static TransformerFile WithoutPast { get; } = new(WithoutPastName, graph => graph.BuildDecoder(PastUse.None));

    /// <summary>Whether a decoder looks at what an encoder gave.</summary>
    public static bool HasCrossAttention(TransformerNetwork network) =>
        network.Description.Decoder?.Blocks.Any(block => block.Cross is not null) == true;
}
