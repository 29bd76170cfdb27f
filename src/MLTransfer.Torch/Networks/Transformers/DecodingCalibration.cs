using System.Collections.Concurrent;
using System.Globalization;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Calibration;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Finds out, in a twentieth of a second, which kernels compute the products of decoding steps faster.</summary>
internal static class DecodingCalibration
{
    /// <summary>Rows of a step of several sequences.</summary>
    private const int ManyRows = 8;

    /// <summary>As many matrices are read in turn: more than caches hold, as a step reads all of the network's.</summary>
    private const long ReadBytes = 64 << 20;

    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(50);

    private static readonly ConcurrentDictionary<Kind, Lazy<Choice>> s_choices = new();

    /// <summary>Of the kind of matrix that a network has most of; null where it is not worth it.</summary>
    /// <param name="network">Its matrices are not quantized.</param>
    /// <param name="rows">Of the step.</param>
    /// <param name="threads">That compute.</param>
    public static Choice? Of(TransformerNetwork network, int rows, int threads)
    {
        if (LargestLayers(network) is not [var (_, first), ..] layers
            || !new MatrixShape(first.InputWidth, first.OutputWidth).IsWorthMeasuring)
            return null;
        var kind = new Kind(
            first.InputWidth, first.OutputWidth, first.Weight.dtype, first.Layout, rows == 1 ? 1 : ManyRows, threads);
        return s_choices.GetOrAdd(kind, _ => new(() => Measure([.. layers.Select(layer => layer.Layer)], kind))).Value;
    }

    private static List<(string Name, Linear Layer)> LargestLayers(TransformerNetwork network) =>
        (from layer in network.LinearLayers()
        where !network.IsOutputHead(layer.Name) && RowMatrix.Supports(layer.Layer.Weight)
        group layer by (layer.Layer.InputWidth, layer.Layer.OutputWidth, layer.Layer.Weight.dtype, layer.Layer.Layout) into kind
        orderby (long)kind.Key.InputWidth * kind.Key.OutputWidth * kind.Count() descending
        select kind.ToList()).FirstOrDefault() ?? [];

    private static Choice Measure(IReadOnlyList<Linear> layers, Kind kind)
    {
        var bytes = (long)kind.Inputs * kind.Outputs * NativeTensor.ElementSize(kind.Type);
        layers = [.. layers.Take((int)Math.Clamp(ReadBytes / bytes, 1, layers.Count))];
        var (input, output) = (new float[kind.Rows * kind.Inputs], new float[kind.Rows * kind.Outputs]);
        Array.Fill(input, 0.5f);
        var isOutputByInput = kind.Layout == WeightLayout.OutputByInput;
        var gain = new Race(s_time).Run(
            () =>
            {
                foreach (var layer in layers)
                    RowProduct.Compute(input, kind.Rows, RowMatrix.Of(layer.Weight, null, isOutputByInput), output, kind.Threads);
            },
            () =>
            {
                foreach (var layer in layers)
                    LibtorchProduct.Compute(input, kind.Rows, layer.Weight, null, isOutputByInput, output);
            }).Undisturbed;
        var kernels = gain >= Race.Threshold ? DecodingKernels.Libtorch : DecodingKernels.Rows;
        return new(kernels, string.Create(CultureInfo.InvariantCulture,
            $"{kind.Rows} x {kind.Inputs} x {kind.Outputs}: row kernels {1 / gain:0.00} times as fast as libtorch"));
    }

    /// <param name="Kernels">Not <see cref="DecodingKernels.Auto"/>.</param>
    /// <param name="Findings">What was measured, in words.</param>
    internal sealed record Choice(DecodingKernels Kernels, string Findings);

    private sealed record Kind(int Inputs, int Outputs, ScalarType Type, WeightLayout Layout, int Rows, int Threads);
}
