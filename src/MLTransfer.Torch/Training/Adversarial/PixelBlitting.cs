using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>Mirroring, quarter turns and moves by whole pixels: every pixel keeps its value to the bit.</summary>
internal static class PixelBlitting
{
    /// <summary>Blits each image in its own way. What comes in at a side is the image's reflection there.</summary>
    /// <param name="images">[N, C, R, R].</param>
    /// <param name="transformations">One an image; only their blitting counts.</param>
    public static Tensor Apply(Tensor images, IReadOnlyList<ImageTransformation> transformations)
    {
        using var scope = NewDisposeScope();
        var (count, channels, size) = (images.shape[0], images.shape[1], (int)images.shape[2]);
        var sources = new long[count * size * size];
        for (var i = 0; i < sources.Length; i++)
            sources[i] = Source(transformations[i / (size * size)], i % size, i / size % size, size);
        var index = tensor(sources, [count, 1, size * size], device: images.device).expand(-1, channels, -1);
        return images.flatten(2).gather(2, index).view(images.shape).MoveToOuterDisposeScope();
    }

    /// <summary>The number of the pixel that comes to (x, y): all is undone in reverse.</summary>
    private static long Source(ImageTransformation transformation, int x, int y, int size)
    {
        (x, y) = (Reflect(x - transformation.ShiftX, size), Reflect(y - transformation.ShiftY, size));
        var last = size - 1;
        (x, y) = transformation.QuarterTurns switch
        {
            0 => (x, y),
            1 => (last - y, x),
            2 => (last - x, last - y),
            _ => (y, last - x),
        };
        return y * size + (transformation.Mirrors ? last - x : x);
    }

    /// <summary>Where a place is in an image that is continued by reflection in the middle of its outermost pixels.</summary>
    public static int Reflect(int place, int size)
    {
        var period = 2 * (size - 1);
        var inPeriod = ((place % period) + period) % period;
        return Math.Min(inPeriod, period - inPeriod);
    }
}
