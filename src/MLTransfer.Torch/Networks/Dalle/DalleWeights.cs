using MLTransfer.Torch.Checkpoints;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>The transformer's tensors in a file of whatever version of dalle-pytorch.</summary>
internal sealed class DalleWeights
{
    private readonly Checkpoint _checkpoint;
    private readonly string _origin;
    private readonly DalleNames _names;
    private readonly Dictionary<string, string> _stored; // by plain names

    /// <exception cref="InvalidDataException">Two names are one parameter's.</exception>
    public DalleWeights(Checkpoint checkpoint, string origin, DalleNames names)
    {
        (_checkpoint, _origin, _names, _stored) = (checkpoint, origin, names, []);
        foreach (var name in checkpoint.Tensors.Keys)
        {
            if (!_stored.TryAdd(DalleNames.Plain(name), name))
                throw new InvalidDataException($"{origin} has '{_stored[DalleNames.Plain(name)]}' and '{name}', which are one parameter.");
        }
    }

    /// <summary>What the file calls a parameter, or a copy of it; null where it has neither.</summary>
    public string? Find(string name) => _names.CopiesOf(name).Prepend(name)
        .Select(copy => _stored.GetValueOrDefault(DalleNames.Plain(copy))).FirstOrDefault(stored => stored is not null);

    /// <summary>Refuses a tensor that the network would not read, or reads otherwise than the file has it.</summary>
    /// <param name="network">What was made of the file.</param>
    /// <exception cref="InvalidDataException">There is one.</exception>
    public void Check(DalleModel network)
    {
        using var gradients = no_grad();
        var known = new HashSet<string>();
        foreach (var (name, parameter) in network.named_parameters().Where(p => !IsOfCodec(p.name)))
        {
            string[] stored = [.. _names.CopiesOf(name).Prepend(name).Select(DalleNames.Plain).Where(_stored.ContainsKey)];
            known.UnionWith(stored);
            foreach (var copy in stored.Skip(1))
                CheckEqual(_stored[stored[0]], _stored[copy]);
        }

        if (_stored.TryGetValue(DalleNames.Angles, out var angles) && network.Sizes.Rotary)
        {
            known.Add(DalleNames.Angles);
            CheckAngles(angles, network);
        }

        if (_stored.Where(tensor => !known.Contains(tensor.Key) && !IsOfCodec(tensor.Key) && !IsMask(tensor.Key))
            .Select(tensor => tensor.Value).Order(StringComparer.Ordinal).FirstOrDefault() is { } unknown)
        {
            throw new InvalidDataException(
                $"{_origin} has a tensor '{unknown}' that a DALL-E of its {DalleConfiguration.SizesName} does not read. Correct them, or "
                + "take out of the checkpoint what is of no use.");
        }
    }

    private void CheckEqual(string first, string copy)
    {
        using var scope = NewDisposeScope();
        if (!_checkpoint.Read(first).Equals(_checkpoint.Read(copy)))
        {
            throw new InvalidDataException(
                $"{_origin}: '{first}' and '{copy}' are shared by {DalleConfiguration.SizesName}, but have different values.");
        }
    }

    /// <summary>The angles follow from sizes; a file's are rounded to its type.</summary>
    private void CheckAngles(string name, DalleModel network)
    {
        using var scope = NewDisposeScope();
        var expected = SequenceRotation.Angles(network.Sizes);
        var found = _checkpoint.Read(name).to(ScalarType.Float32);
        if (!found.shape.SequenceEqual(expected.shape) || !found.allclose(expected, 1e-2, 1e-2))
        {
            throw new InvalidDataException(
                $"{_origin}: '{name}' has other angles of positions than {DalleConfiguration.SizesName} and the codec give.");
        }
    }

    private static bool IsOfCodec(string name) => name.StartsWith(DalleNames.Codec + ".", StringComparison.Ordinal);

    /// <summary>Who sees whom and which logits may be drawn, as some versions save it.</summary>
    private static bool IsMask(string name) =>
        name == "logits_mask" || name.EndsWith(".static_mask", StringComparison.Ordinal);
}
