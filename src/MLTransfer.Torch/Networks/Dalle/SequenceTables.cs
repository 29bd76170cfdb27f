using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>What follows from a transformer's sizes alone and all its layers read: rotary positions, and who sees whom.</summary>
internal sealed class SequenceTables : NamedModule
{
    private const string Name = "transformer.tables";

    private readonly Dictionary<AttentionKind, Tensor> _masks;

    public SequenceTables(DalleConfiguration sizes, DalleBuilder builder, Device device)
        : base(nameof(SequenceTables))
    {
        if (sizes.Rotary)
        {
            var angles = SequenceRotation.Angles(sizes).to(device);
            builder.Buffer(DalleNames.Angles, angles);
            if (angles.shape[2] > 0)
                Rotation = new SequenceRotation(angles);
        }

        var positions = sizes.TextPositions + sizes.ImageLength;
        _masks = sizes.Kinds.Distinct().Where(kind => kind != AttentionKind.Full).ToDictionary(
            kind => kind,
            kind => AttentionPattern.Mask(kind, sizes.TextPositions, sizes.Side, positions, device).DetachFromDisposeScope());
        builder.Add(Name, this);
    }

    /// <summary>Null where positions are not turned.</summary>
    public SequenceRotation? Rotation { get; }

    /// <summary>[1, 1, positions, positions] bool; null where all earlier positions are seen.</summary>
    public Tensor? MaskOf(AttentionKind kind) => _masks.GetValueOrDefault(kind);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Rotation?.Dispose();
            foreach (var mask in _masks.Values)
                mask.Dispose();
        }

        base.Dispose(disposing);
    }
}
