using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.AdaptiveAveragePooling"/>
/// <param name="Size">Height and width of the output.</param>
public sealed record AdaptiveAveragePoolingLayer(HeightWidth Size) : Layer
{
    internal override void Check() => CheckSizes(nameof(Size), Size);

    internal override long[] OutputShape(LayerPlace place) => [place.Picture().Channels, Size.Height, Size.Width];

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        F.adaptive_avg_pool2d(input, Size.ToArray());

    /// <summary>
    /// The windows of one direction as a matrix [output, input]: row i has the mean's factor from floor(i input / output) to
    /// ceiling((i + 1) input / output).
    /// </summary>
    internal static float[] Windows(long input, long output)
    {
        var matrix = new float[output * input];
        for (long i = 0; i < output; i++)
        {
            var (start, end) = (i * input / output, ((i + 1) * input + output - 1) / output);
            matrix.AsSpan((int)(i * input + start), (int)(end - start)).Fill(1f / (end - start));
        }

        return matrix;
    }
}
