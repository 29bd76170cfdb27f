using MLTransfer.Persistence;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Described;

namespace MLTransfer.Networks;

/// <summary>What a saved network of pretrained and new layers consists of.</summary>
internal sealed record TorchModuleManifest : ModelManifest
{
    public required TorchModuleColumns Columns { get; init; }

    public required int TransformBatchSize { get; init; }

    public required TrainingHistory History { get; init; }

    public required StoredBaseKind BaseKind { get; init; }

    /// <summary>The class of the user's own that the pretrained network is; null for other kinds.</summary>
    public string? BaseTypeName { get; init; }

    /// <summary>The layers that the pretrained network consists of; null for other kinds.</summary>
    public IReadOnlyList<Layer>? BaseLayers { get; init; }

    public required IReadOnlyList<Layer> NewLayers { get; init; }

    public override void Check()
    {
        base.Check();
        Columns.Check();
        TorchModuleOptions.CheckTransformBatchSize(TransformBatchSize);
        OptionCheck.Defined(nameof(BaseKind), BaseKind);
        if ((BaseKind == StoredBaseKind.Module) != (BaseTypeName is not null)
            || (BaseKind == StoredBaseKind.Layers) != (BaseLayers is not null))
        {
            throw new ArgumentException("its kind of pretrained network does not fit the rest");
        }

        if (NewLayers.Contains(null!) || BaseLayers?.Contains(null!) == true || History.Epochs.Contains(null!))
            throw new ArgumentException("it has a null in a list");
    }
}
