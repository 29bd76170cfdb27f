using System.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>
/// Takes images through affine maps: twice the resolution by a wavelet's low-pass filter, bilinear sampling, and back by the same filter
/// (arXiv 2006.06676, appendix B). Without a map, the image comes back as it was.
/// </summary>
/// <remarks>
/// All steps are products of matrices and gathers, so that autograd gives gradients of gradients, which libtorch's own grid sampling has
/// none of. Images are continued without end by reflection in the middle of their outermost pixels. As that repeats itself, one period is
/// all that sampling needs.
/// </remarks>
internal static class FilteredSampling
{
    /// <summary>
    /// The orthogonal low-pass filter of the wavelet sym6: twelve taps, sum sqrt 2, six vanishing moments, and of all such filters the
    /// least asymmetric (Daubechies 1992, "Ten lectures on wavelets", section 8.1.1).
    /// </summary>
    internal static readonly double[] LowPass =
    [
        0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466, 0.787641141030194,
        0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
    ];

    /// <summary>The tap that takes pixel k to place 2k of the doubled image.</summary>
    private const int CenterTap = 5;

    /// <summary>
    /// How far the filter's center of mass lies behind that tap, in pixels of the doubled image: place m there is place (m - delay) / 2 of
    /// the image. With this, the doubled image of a slope is the same slope, without a shift.
    /// </summary>
    private static readonly double s_delay = LowPass.Index().Sum(tap => tap.Index * tap.Item) / LowPass.Sum() - CenterTap;

    /// <summary>Maps each image in its own way.</summary>
    /// <param name="images">[N, C, R, R], floating point.</param>
    /// <param name="maps">Where places of an image go, one an image, invertible: pixels to the right of the center and below it, as row
    /// vectors.</param>
    public static Tensor Apply(Tensor images, IReadOnlyList<Matrix3x2> maps)
    {
        using var scope = NewDisposeScope();
        var (count, channels, size) = (images.shape[0], images.shape[1], (int)images.shape[2]);
        var (doubling, halving) = (Doubling(size).to(images.dtype, images.device), Halving(size).to(images.dtype, images.device));
        var doubled = doubling.matmul(images).matmul(doubling.t()); // [N, C, P, P]
        var period = doubled.shape[2];
        var (x, y) = Places(maps, size, images.device, images.dtype); // [N, Q] each
        var (left, top) = (x.floor(), y.floor());
        var (right, bottom) = (x - left, y - top); // how much of the value is from there
        var (columns, rows) = (left.to(ScalarType.Int64), top.to(ScalarType.Int64));

        // The four pixels around each place, in one gather.
        var (column, nextColumn, row, nextRow) = (
            columns.remainder(period), (columns + 1).remainder(period), rows.remainder(period) * period,
            (rows + 1).remainder(period) * period);
        var index = cat([row + column, row + nextColumn, nextRow + column, nextRow + nextColumn], 1); // [N, 4 Q]
        var weights = stack([(1 - bottom) * (1 - right), (1 - bottom) * right, bottom * (1 - right), bottom * right], 1); // [N, 4, Q]
        var corners = doubled.flatten(2).gather(2, index.unsqueeze(1).expand(-1, channels, -1)); // [N, C, 4 Q]
        var sampled = (corners.view(count, channels, 4, -1) * weights.unsqueeze(1)).sum(2); // [N, C, Q]

        var side = SampleCount(size);
        return halving.matmul(sampled.view(count, channels, side, side)).matmul(halving.t()).MoveToOuterDisposeScope();
    }

    /// <summary>How many places are sampled in each direction: all that the last filter reaches.</summary>
    private static int SampleCount(int size) => 2 * (size - 1) + LowPass.Length;

    /// <summary>
    /// From a row of pixels to one period of the reflected row at twice the resolution, [4 (R - 1), R]: zeros between pixels, then the
    /// filter, with a sum of 2.
    /// </summary>
    private static Tensor Doubling(int size)
    {
        var matrix = new double[4 * (size - 1), size];
        for (var place = 0; place < matrix.GetLength(0); place++)
        {
            for (var tap = (place + CenterTap) % 2; tap < LowPass.Length; tap += 2)
                matrix[place, PixelBlitting.Reflect((place + CenterTap - tap) / 2, size)] += Math.Sqrt(2) * LowPass[tap];
        }

        return tensor(matrix);
    }

    /// <summary>
    /// From a row of samples to one of half the resolution, [R, samples]: the filter, with a sum of 1, at every second sample.
    /// </summary>
    private static Tensor Halving(int size)
    {
        var matrix = new double[size, SampleCount(size)];
        for (var place = 0; place < size; place++)
        {
            for (var tap = 0; tap < LowPass.Length; tap++)
                matrix[place, 2 * place + tap] = LowPass[tap] / Math.Sqrt(2);
        }

        return tensor(matrix);
    }

    /// <summary>Where in the doubled image the samples of the doubled result are, [N, samples] to the right and down.</summary>
    private static (Tensor X, Tensor Y) Places(IReadOnlyList<Matrix3x2> maps, int size, Device device, ScalarType type)
    {
        var values = new float[maps.Count * 6];
        foreach (var (i, map) in maps.Index())
        {
            Matrix3x2.Invert(map, out var inverse); // no factor is 0
            ((ReadOnlySpan<float>)[inverse.M11, inverse.M21, inverse.M31, inverse.M12, inverse.M22, inverse.M32])
                .CopyTo(values.AsSpan(i * 6));
        }

        var coefficients = tensor(values, [maps.Count, 6, 1], device: device).to(type).unbind(1); // [N, 1] each
        var (center, count) = ((size - 1) / 2.0, SampleCount(size));
        var line = (arange(count, type, device) - CenterTap - s_delay) / 2 - center; // from the image's center, in its pixels
        var (outX, outY) = (line.repeat(count), line.repeat_interleave(count)); // [samples]
        return (Doubled(coefficients[0], coefficients[1], coefficients[2]), Doubled(coefficients[3], coefficients[4], coefficients[5]));

        Tensor Doubled(Tensor byX, Tensor byY, Tensor constant) => (outX * byX + outY * byY + constant + center) * 2 + s_delay;
    }
}
