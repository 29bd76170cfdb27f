using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using Microsoft.ML.Runtime;
using TorchSharp;

namespace MLTransfer.Text;

/// <summary>The network that generates with a number format.</summary>
internal static class DecodingNetwork
{
    /// <summary>Says what computes texts with a network and, where that is measured, tells what was found.</summary>
    public static void Choose(TransformerNetwork network, GenerateTextOptions options, IChannel channel)
    {
        if (options.DecodingKernels != DecodingKernels.Auto)
            network.DecodingKernels = options.DecodingKernels;
        if (options.DecodingPrecision == DecodingPrecision.Float32 && network.MeasureKernels(options.GenerationBatchSize) is { } measured)
            channel.Info($"Decoding by {(measured.Kernels == DecodingKernels.Rows ? "row kernels" : "libtorch")} ({measured.Findings}).");
    }

    /// <summary>A network that shares with another what it can; a quantized one is of the CPU wherever the other is.</summary>
    /// <exception cref="InvalidOperationException">The other is quantized.</exception>
    public static TransformerNetwork Of(TransformerNetwork trained, DecodingPrecision precision)
    {
        if (FormatOf(precision) is not { } format)
            return trained.ConvertTo(precision == DecodingPrecision.BFloat16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32);
        var network = trained.ConvertTo(torch.ScalarType.Float32);
        if (network.Device.type != DeviceType.CPU)
        {
            using var elsewhere = network;
            network = network.Copy();
        }

        return Ownership.Pass(network, () =>
        {
            WeightQuantization.Quantize(network, format);
            return network;
        });
    }

    private static QuantizationFormat? FormatOf(DecodingPrecision precision) => precision switch
    {
        DecodingPrecision.Int8 => QuantizationFormat.Int8,
        DecodingPrecision.Int4 => QuantizationFormat.Int4,
        _ => null,
    };
}
