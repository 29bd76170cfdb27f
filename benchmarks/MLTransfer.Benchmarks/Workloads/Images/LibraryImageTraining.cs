using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>The updates that the library's trainer makes, without style mixing and augmentation, which the plain version lacks.</summary>
internal sealed class LibraryImageTraining : ImageTrainingVariant
{
    private readonly AdversarialUpdates _updates;
    private readonly TrainingDraws _draws;
    private readonly Tensor _real;

    public LibraryImageTraining(StyleGan2Model model, Tensor real, Precision precision)
        : base(precision == Precision.Float32 ? "this library" : "this library, bfloat16 features")
    {
        model.Generator.ComputeType = model.Discriminator.ComputeType = precision.ComputeType();
        _updates = new AdversarialUpdates(
            model.Generator, model.Discriminator,
            new AdversarialTrainingOptions { BatchSize = (int)real.shape[0], StyleMixingProbability = 0 });
        (_draws, _real) = (new TrainingDraws(1, 0), real);
    }

    public override void UpdateBoth()
    {
        _updates.UpdateGenerator(null, _draws, augmentation: 0);
        _updates.UpdateDiscriminator(_real, null, null, _draws, augmentation: 0);
    }

    public override void RegularizeGenerator() => _updates.RegularizeGenerator(null, _draws);

    public override void RegularizeDiscriminator() => _updates.RegularizeDiscriminator(_real, null, _draws, augmentation: 0);

    public override void Dispose()
    {
        _updates.Dispose();
        _draws.Dispose();
    }
}
