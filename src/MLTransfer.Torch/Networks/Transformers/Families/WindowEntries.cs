using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>Which layers see only a window of the text.</summary>
internal static class WindowEntries
{
    public const string Sliding = "sliding_attention";
    public const string Full = "full_attention";

    /// <summary>The window of each layer, by <c>layer_types</c> where the file has it.</summary>
    /// <param name="c">The configuration.</param>
    /// <param name="layers">The number of layers.</param>
    /// <param name="slides">Tells which layers slide where the file does not.</param>
    /// <param name="otherwise">The window where the file does not speak of it; null in the file is none.</param>
    public static int?[] Read(ConfigurationReader c, int layers, Func<int, bool> slides, int? otherwise = null)
    {
        var window = c.SizeUnlessNull("sliding_window", otherwise);
        var types = c.Texts("layer_types");
        if (types is not null)
        {
            c.OfLength("layer_types", types, layers);
            if (types.FirstOrDefault(type => type is not (Sliding or Full)) is { } unknown)
                throw new NotSupportedException($"{c.Origin}: layer_types has '{unknown}'; supported are {Full} and {Sliding}.");
        }

        return [.. Enumerable.Range(0, layers).Select(layer => (types is null ? slides(layer) : types[layer] == Sliding) ? window : null)];
    }
}
