using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Codecs;

/// <summary>A codec of pictures as two graphs: from pictures to codes, and back.</summary>
/// <remarks>B: batch, H and W: a picture's height and width, K: codewords.</remarks>
internal abstract class PictureCodecGraph
{
    public const string Pictures = "pixel_values";
    public const string Codes = "image_codes";

    private protected PictureCodecGraph(ImageCodec codec)
    {
        (Codec, Tensors) = (codec, new(codec.CheckpointTensors()));
        Layers = new PictureNodes(Graph, Tensors);
    }

    protected ImageCodec Codec { get; }

    protected GraphBuilder Graph { get; } = new();

    protected PictureNodes Layers { get; }

    protected Dictionary<string, Tensor> Tensors { get; }

    /// <summary><c>image_codes</c> [B, rows, columns] int64 to <c>pixel_values</c> [B, 3, H, W] from 0 to 1.</summary>
    public static GraphBuilder Decoder(ImageCodec codec)
    {
        var built = Of(codec);
        var codes = built.Graph.Input(Codes, DataType.Int64, "batch_size", "rows", "columns");
        built.Graph.Output(Pictures, built.Decode(codes), DataType.Float, "batch_size", 3L, "height", "width");
        return built.Graph;
    }

    /// <summary><c>pixel_values</c> [B, 3, H, W] from 0 to 1 to <c>image_codes</c> [B, rows, columns] int64.</summary>
    public static GraphBuilder Encoder(ImageCodec codec)
    {
        var built = Of(codec);
        var pictures = built.Graph.Input(Pictures, DataType.Float, "batch_size", 3L, "height", "width");
        built.Graph.Output(Codes, built.Encode(pictures), DataType.Int64, "batch_size", "rows", "columns");
        return built.Graph;
    }

    /// <summary>[B, rows, columns] int64 to [B, 3, H, W] from 0 to 1.</summary>
    protected abstract Value Decode(Value codes);

    /// <summary>[B, 3, H, W] from 0 to 1 to [B, rows, columns] int64.</summary>
    protected abstract Value Encode(Value pictures);

    /// <summary>The likeliest codeword of each place: [B, K, rows, columns] to [B, rows, columns] int64.</summary>
    protected Value Likeliest(Value logits) => Graph.Node("ArgMax", [logits], ("axis", 1L), ("keepdims", 0L));

    private static PictureCodecGraph Of(ImageCodec codec) => (codec, codec.Configuration["architecture"]?.ToString()) switch
    {
        (VqganModel, _) => new VqganGraph(codec),
        (DiscreteVaeModel, DalleVaeConfiguration.Architecture) => new DalleVaeGraph(codec),
        (DiscreteVaeModel, _) => new ReplicatedVaeGraph(codec),
        _ => throw new NotSupportedException($"A codec of the kind {codec.GetName()} is not exported to ONNX."),
    };
}
