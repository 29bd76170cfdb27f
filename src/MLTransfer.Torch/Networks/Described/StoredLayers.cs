using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>Holds the names and shapes of a checkpoint against those that layers need.</summary>
internal static class StoredLayers
{
    private const int MostNames = 12;

    /// <summary>What stands before names, with its dot.</summary>
    public static string Before(string? prefix) => string.IsNullOrEmpty(prefix) ? "" : prefix.TrimEnd('.') + ".";

    /// <summary>
    /// Tensors of layers that are not described may be there, such as those of a classifier that is left out; a described layer has
    /// those that its description tells of, and no others.
    /// </summary>
    /// <exception cref="InvalidDataException">Something does not fit; the message lists what is missing and what is left over.</exception>
    public static void Check(Checkpoint checkpoint, string? prefix, IReadOnlyList<(string Name, Layer Layer, LayerPlace Place)> layers)
    {
        var before = Before(prefix);
        List<string> missing = [], wrong = [], unknown = [];
        HashSet<string> found = [];
        foreach (var (name, layer, place) in layers)
        {
            foreach (var weight in layer.Weights(place.Shape))
            {
                var full = $"{before}{name}.{weight.Name}";
                if (!checkpoint.Tensors.TryGetValue(full, out var info))
                    missing.Add($"no tensor '{full}' {TensorShape.Describe(weight.Shape)} for {place.Layer}");
                else if (!info.Shape.SequenceEqual(weight.Shape))
                    wrong.Add($"tensor {Describe(full, info)}; {place.Layer} after {TensorShape.Describe(place.Shape)} needs "
                        + TensorShape.Describe(weight.Shape));
                found.Add(full);
            }

            found.UnionWith(layer.IgnoredWeights.Select(ignored => $"{before}{name}.{ignored}"));
            unknown.AddRange(checkpoint.Tensors
                .Where(tensor => tensor.Key.StartsWith($"{before}{name}.", StringComparison.Ordinal) && !found.Contains(tensor.Key))
                .Select(tensor => $"'{tensor.Key}' {TensorShape.Describe(tensor.Value.Shape)}, of which {place.Layer} has no use"));
        }

        if (missing.Count + wrong.Count + unknown.Count == 0)
            return;
        var others = checkpoint.Tensors.Where(tensor => !found.Contains(tensor.Key)).Select(tensor =>
            $"'{tensor.Key}' {TensorShape.Describe(tensor.Value.Shape)}");
        throw new InvalidDataException(string.Join(" ", (string[])
        [
            $"{checkpoint.Location} does not fit the layers.", .. List("Missing: ", missing), .. List("Wrong: ", wrong),
            .. missing.Count == 0 ? List("Left over: ", unknown) : List("Left over: ", [.. others]),
            Remedy(checkpoint, before, layers),
        ]));
    }

    private static IEnumerable<string> List(string title, List<string> entries)
    {
        if (entries.Count == 0)
            return [];
        var rest = entries.Count > MostNames ? $"; and {entries.Count - MostNames} more" : "";
        return [$"{title}{string.Join("; ", entries.Take(MostNames))}{rest}."];
    }

    private static string Remedy(
        Checkpoint checkpoint, string before, IReadOnlyList<(string Name, Layer Layer, LayerPlace Place)> layers)
    {
        string[] names = [.. layers.SelectMany(layer =>
            layer.Layer.Weights(layer.Place.Shape).Select(weight => $"{layer.Name}.{weight.Name}"))];
        // What stands before the first name, where all the others stand behind it too.
        var prefixes = names.Length == 0 ? [] : checkpoint.Tensors.Keys
            .Where(key => key == names[0] || key.EndsWith("." + names[0], StringComparison.Ordinal))
            .Select(key => key[..^names[0].Length])
            .Where(prefix => prefix != before && names.All(name => checkpoint.Tensors.ContainsKey(prefix + name))).ToList();
        return prefixes is [var other, ..]
            ? other.Length == 0 ? "The names have no prefix: give none." : $"The names lie behind a prefix: give '{other.TrimEnd('.')}'."
            : "A layer is called by its place in the list, from 0, as in PyTorch's Sequential, where an activation is a layer of its own; "
                + $"{nameof(Layer)}.{nameof(Layer.Name)} or {nameof(Layer)}.{nameof(Layer.Part)} give it another name, and its options "
                + "tell which weights it has.";
    }

    private static string Describe(string name, TensorInfo info) => $"'{name}' has shape {TensorShape.Describe(info.Shape)}";
}
