using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>Random changes of what the discriminator sees (arXiv 2006.06676, appendix B). Gradients of any order pass through.</summary>
internal static class ImageAugmentation
{
    /// <summary>Transforms each image in its own way. What nothing happens to keeps its value to the bit.</summary>
    /// <param name="images">[N, C, R, R].</param>
    /// <param name="transformations">One an image.</param>
    public static Tensor Apply(Tensor images, IReadOnlyList<ImageTransformation> transformations)
    {
        using var scope = NewDisposeScope();
        return Recolor(Move(images.alias(), transformations), transformations).MoveToOuterDisposeScope();
    }

    /// <summary>Pixel blitting alone copies pixels; where there is more, all of an image's places are mapped and sampled once.</summary>
    private static Tensor Move(Tensor images, IReadOnlyList<ImageTransformation> transformations)
    {
        var kinds = transformations.Index().ToLookup(t => (t.Item.Resamples, Blits: t.Item.Blits && !t.Item.Resamples), t => t.Index);
        if (kinds[(false, false)].Count() == transformations.Count)
            return images;
        var parts = new List<Tensor>();
        var places = new long[transformations.Count]; // of images among the parts
        var next = 0;
        foreach (var kind in kinds)
        {
            int[] members = [.. kind];
            var (some, own) = (
                images.index_select(0, Indices(members.Select(member => (long)member))), members.Select(member => transformations[member]));
            parts.Add(kind.Key switch
            {
                (true, _) => FilteredSampling.Apply(some, [.. own.Select(transformation => transformation.PlaceMap(images.shape[2]))]),
                (_, true) => PixelBlitting.Apply(some, [.. own]),
                _ => some,
            });
            foreach (var member in members)
                places[member] = next++;
        }

        return cat(parts, 0).index_select(0, Indices(places));

        Tensor Indices(IEnumerable<long> values) => tensor([.. values], device: images.device);
    }

    private static Tensor Recolor(Tensor images, IReadOnlyList<ImageTransformation> transformations)
    {
        if (!transformations.Any(transformation => transformation.Recolors))
            return images;
        var maps = transformations.SelectMany(transformation =>
        {
            var map = transformation.ColorMap();
            return (float[])[map.M11, map.M21, map.M31, map.M41, map.M12, map.M22, map.M32, map.M42, map.M13, map.M23, map.M33, map.M43];
        });
        var colors = tensor([.. maps], [images.shape[0], 3, 4], device: images.device).to(images.dtype);
        var (factors, summands) = (colors.narrow(2, 0, 3), colors.narrow(2, 3, 1)); // [N, 3, 3] and [N, 3, 1]
        if (images.shape[1] == 1) // gray is what has equal red, green and blue, and stays so
            (factors, summands) = (factors.narrow(1, 0, 1).sum(2, keepdim: true), summands.narrow(1, 0, 1)); // [N, 1, 1]
        return (bmm(factors, images.flatten(2)) + summands).view(images.shape);
    }
}
