using System.Globalization;
using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Reading;
using MLTransfer.Torch.Networks.Described;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing;

/// <summary>Writes a pretrained network with its new layers as an ONNX file.</summary>
internal static class NetworkExporter
{
    /// <summary>In units of the largest output; what rounding explains.</summary>
    private const double Bound = 1e-3;

    /// <summary>Writes the network; the file gets its name after ONNX Runtime computed with it what the engine does.</summary>
    /// <param name="network">The network.</param>
    /// <param name="path">The file, which is replaced where there is one.</param>
    /// <param name="inputName">What the graph's input is called: [batch, input shape].</param>
    /// <param name="outputName">What the graph's output is called: [batch, output shape].</param>
    /// <param name="scale">What the input is multiplied with first, per channel or one factor; null for nothing.</param>
    /// <param name="offset">What is added to that, per channel or one number; null for nothing.</param>
    /// <returns>The largest difference of an output from the engine's, for an arbitrary input.</returns>
    /// <exception cref="ArgumentException">Input and output have the same name.</exception>
    /// <exception cref="NotSupportedException">The pretrained network has no graph that could be written.</exception>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open the file, or computes something else than the
    /// engine.</exception>
    public static double Export(
        TransferNetwork network, string path, string inputName, string outputName, float[]? scale, float[]? offset)
    {
        var graph = NetworkToOnnx.Create(network, inputName, outputName, scale, offset);
        return OnnxFile.Write(path, graph, "network", Compare);

        double Compare(InferenceSession session)
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            var rows = (network.Pretrained as OnnxBaseNetwork)?.Graph.BatchSize ?? 2;
            long[] shape = [rows, .. network.InputShape];
            var waves = arange(shape.Aggregate(1L, (product, extent) => product * extent), ScalarType.Float32).mul(1.7).sin().view(shape);
            var input = scale is null ? waves : waves * 127.5 + 127.5; // pixels where they are scaled
            var scaled = scale is null || offset is null ? input : input * Channels(scale) + Channels(offset);
            var expected = network.Forward(scaled);
            var difference = session.LargestDifference([(inputName, input)], outputName, expected);
            var bound = Bound * Math.Max(1, expected.nan_to_num(0, 0, 0).abs().max().ToDouble());
            return difference <= bound // NaN is not
                ? difference
                : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                    $"The exported network computes something else than the engine: an output differs by {difference:0.000e+0}, "
                    + $"at most {bound:0.0e+0} was expected."));
        }

        static Tensor Channels(float[] values) => tensor(values, [values.Length, 1, 1]);
    }
}
