namespace MLTransfer.Onnx.Reading.TextImage;

/// <summary>
/// Resizes pictures as Pillow does, whose numbers the image processors of transformers have: rows first, then columns, each with a filter
/// that is widened where a picture shrinks, weights in fixed point and bytes between the two passes.
/// </summary>
internal static class ImageResampling
{
    private const int WeightBits = 22;

    /// <summary>Resizes planes of one channel after the other.</summary>
    /// <param name="planes">[channels, height, width].</param>
    /// <param name="height">Of the planes.</param>
    /// <param name="width">Of the planes.</param>
    /// <param name="newHeight">Of the result.</param>
    /// <param name="newWidth">Of the result.</param>
    /// <param name="filter">What is between pixels.</param>
    /// <returns>[channels, new height, new width].</returns>
    public static byte[] Resize(byte[] planes, int height, int width, int newHeight, int newWidth, ResamplingFilter filter)
    {
        var channels = planes.Length / (height * width);
        if (filter == ResamplingFilter.Nearest)
            return Nearest(planes, channels, height, width, newHeight, newWidth);
        // Along a row neighbours are one pixel apart, along a column one row; what lies before are lines that do not mix.
        if (width != newWidth)
            planes = Pass(planes, channels * height, width, 1, Weights(width, newWidth, filter));
        return height == newHeight ? planes : Pass(planes, channels, height, newWidth, Weights(height, newHeight, filter));
    }

    /// <summary>[lines, size, stride] to [lines, weights, stride].</summary>
    private static byte[] Pass(byte[] planes, int lines, int size, int stride, List<(int First, int[] Weights)> weights)
    {
        var result = new byte[lines * weights.Count * stride];
        for (var line = 0; line < lines; line++)
        {
            for (var i = 0; i < weights.Count; i++)
            {
                var (first, factors) = weights[i];
                for (var j = 0; j < stride; j++)
                    result[(line * weights.Count + i) * stride + j] = Sum(planes, (line * size + first) * stride + j, stride, factors);
            }
        }

        return result;
    }

    private static byte Sum(byte[] planes, int start, int stride, int[] weights)
    {
        var sum = 1L << (WeightBits - 1);
        foreach (var weight in weights)
        {
            sum += (long)planes[start] * weight;
            start += stride;
        }

        return (byte)Math.Clamp(sum >> WeightBits, 0, 255);
    }

    /// <summary>For each new pixel the first old one that counts, and the weights from there on.</summary>
    private static List<(int First, int[] Weights)> Weights(int size, int newSize, ResamplingFilter filter)
    {
        var scale = (double)size / newSize;
        var widened = Math.Max(1, scale);
        var support = Support(filter) * widened;
        var all = new List<(int First, int[] Weights)>(newSize);
        for (var i = 0; i < newSize; i++)
        {
            var center = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(center - support + 0.5));
            var end = Math.Min(size, (int)(center + support + 0.5));
            var weights = new double[end - first];
            for (var j = 0; j < weights.Length; j++)
                weights[j] = Weight(filter, (j + first - center + 0.5) / widened);
            var sum = weights.Sum();
            all.Add((first, [.. weights.Select(weight => (int)Math.Round(
                (sum == 0 ? weight : weight / sum) * (1 << WeightBits), MidpointRounding.AwayFromZero))]));
        }

        return all;
    }

    private static double Support(ResamplingFilter filter) => filter switch
    {
        ResamplingFilter.Box => 0.5,
        ResamplingFilter.Bicubic => 2,
        ResamplingFilter.Lanczos => 3,
        _ => 1,
    };

    private static double Weight(ResamplingFilter filter, double x)
    {
        var distance = Math.Abs(x);
        return filter switch
        {
            ResamplingFilter.Box => x is > -0.5 and <= 0.5 ? 1 : 0,
            ResamplingFilter.Bilinear => Math.Max(0, 1 - distance),
            ResamplingFilter.Hamming => distance >= 1 ? 0 : Sinc(x) * (0.54 + 0.46 * Math.Cos(Math.PI * x)),
            ResamplingFilter.Bicubic => Cubic(distance),
            ResamplingFilter.Lanczos => distance < 3 ? Sinc(x) * Sinc(x / 3) : 0,
            _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "There is no such filter."),
        };
    }

    /// <summary>Keys 1981 with a = -1/2.</summary>
    private static double Cubic(double x) => x switch
    {
        < 1 => (1.5 * x - 2.5) * x * x + 1,
        < 2 => ((-0.5 * x + 2.5) * x - 4) * x + 2,
        _ => 0,
    };

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    private static byte[] Nearest(byte[] planes, int channels, int height, int width, int newHeight, int newWidth)
    {
        var result = new byte[channels * newHeight * newWidth];
        for (var channel = 0; channel < channels; channel++)
        {
            for (var y = 0; y < newHeight; y++)
            {
                var row = (channel * height + (int)((y + 0.5) * height / newHeight)) * width;
                for (var x = 0; x < newWidth; x++)
                    result[(channel * newHeight + y) * newWidth + x] = planes[row + (int)((x + 0.5) * width / newWidth)];
            }
        }

        return result;
    }
}
