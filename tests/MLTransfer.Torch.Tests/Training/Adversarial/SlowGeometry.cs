using MLTransfer.Torch.Training.Adversarial;

namespace MLTransfer.Torch.Tests.Training.Adversarial;

/// <summary>The geometric transformations of one channel as the formulas say it, a pixel at a time, in double precision.</summary>
internal sealed class SlowGeometry(double[,] image, ImageTransformation transformation)
{
    private static readonly double[] s_taps = FilteredSampling.LowPass;

    private readonly int _size = image.GetLength(0);

    /// <summary>Of the filter's center of mass from the tap at place 0, in pixels of the doubled image.</summary>
    private readonly double _delay = s_taps.Select((tap, i) => tap * (i - 5)).Sum() / Math.Sqrt(2);

    /// <summary>All pixels, in rows.</summary>
    public double[] Transform()
    {
        var result = new double[_size * _size];
        for (var i = 0; i < result.Length; i++)
            result[i] = Halved(i % _size, i / _size);
        return result;
    }

    /// <summary>A pixel of the result: the low-pass filter over the sampled image of twice the resolution.</summary>
    private double Halved(int x, int y)
    {
        var sum = 0.0;
        for (var i = 0; i < s_taps.Length; i++)
        {
            for (var j = 0; j < s_taps.Length; j++)
                sum += s_taps[i] * s_taps[j] / 2 * Sampled(2 * x + j - 5, 2 * y + i - 5);
        }

        return sum;
    }

    /// <summary>A pixel of the transformed image of twice the resolution.</summary>
    private double Sampled(int x, int y)
    {
        var center = (_size - 1) / 2.0;
        var (sourceX, sourceY) = Undo((x - _delay) / 2 - center, (y - _delay) / 2 - center);
        (sourceX, sourceY) = (2 * (sourceX + center) + _delay, 2 * (sourceY + center) + _delay);
        var (left, top) = ((int)Math.Floor(sourceX), (int)Math.Floor(sourceY));
        var (right, bottom) = (sourceX - left, sourceY - top);
        return (1 - bottom) * ((1 - right) * Doubled(left, top) + right * Doubled(left + 1, top))
            + bottom * ((1 - right) * Doubled(left, top + 1) + right * Doubled(left + 1, top + 1));
    }

    /// <summary>Where a place of the result comes from: the last transformation is undone first.</summary>
    private (double X, double Y) Undo(double x, double y)
    {
        var t = transformation;
        (x, y) = (x - t.TranslationX * _size, y - t.TranslationY * _size);
        (x, y) = Turned(x, y, t.RotationAfter);
        (x, y) = (x / Math.Pow(2, t.StretchExponent), y * Math.Pow(2, t.StretchExponent));
        (x, y) = Turned(x, y, t.RotationBefore);
        (x, y) = (x / Math.Pow(2, t.ScaleExponent), y / Math.Pow(2, t.ScaleExponent));
        (x, y) = (x - t.ShiftX, y - t.ShiftY);
        (x, y) = Turned(x, y, t.QuarterTurns * Math.PI / 2);
        return (t.Mirrors ? -x : x, y);
    }

    /// <summary>With a vertical axis that points down, undoes a counterclockwise rotation.</summary>
    private static (double X, double Y) Turned(double x, double y, double angle) =>
        (x * Math.Cos(angle) - y * Math.Sin(angle), x * Math.Sin(angle) + y * Math.Cos(angle));

    /// <summary>A pixel of the image at twice the resolution: every pixel of the endless image spreads as the filter does.</summary>
    private double Doubled(int x, int y)
    {
        var sum = 0.0;
        for (var row = (int)Math.Ceiling((y - 6) / 2.0); 2 * row - 5 <= y; row++)
        {
            for (var column = (int)Math.Ceiling((x - 6) / 2.0); 2 * column - 5 <= x; column++)
                sum += 2 * s_taps[y - 2 * row + 5] * s_taps[x - 2 * column + 5] * image[Mirrored(row), Mirrored(column)];
        }

        return sum;
    }

    /// <summary>Goes back and forth between the outermost pixels.</summary>
    private int Mirrored(int place)
    {
        while (place < 0 || place >= _size)
            place = place < 0 ? -place : 2 * (_size - 1) - place;
        return place;
    }
}
