using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>What the weights are that texts are generated with.</summary>
/// <param name="Name">In tables.</param>
/// <param name="Type">The type that the model is loaded in.</param>
/// <param name="Format">What its matrices become; null for none.</param>
internal sealed record DecodingWeights(string Name, ScalarType Type, QuantizationFormat? Format = null)
{
    public static DecodingWeights Float32 { get; } = new("float32", ScalarType.Float32);

    public static DecodingWeights BFloat16 { get; } = new("bf16", ScalarType.BFloat16);

    public static DecodingWeights Int8 { get; } = new("int8", ScalarType.Float32, QuantizationFormat.Int8);

    public static DecodingWeights Int4 { get; } = new("int4", ScalarType.Float32, QuantizationFormat.Int4);

    /// <summary>Of a matrix's number, with its share of a scale.</summary>
    public double Bytes => Format switch
    {
        QuantizationFormat.Int8 => 1,
        QuantizationFormat.Int4 => 4.5 / 8,
        _ => NativeTensor.ElementSize(Type),
    };

    /// <summary>What plain TorchSharp has that is nearest.</summary>
    public DecodingWeights Plain => Format is null ? this : BFloat16;
}
