using System.Globalization;
using MLTransfer.Logging;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML.Runtime;

namespace MLTransfer.Images;

/// <summary>Tells how the training of an image generator goes on.</summary>
internal sealed class ImageTrainingLog(IChannel channel, IProgress<StyleGan2Progress>? next, IProgress<RunProgress>? nextOfAll)
    : ProgressLog<StyleGan2Progress>(channel, next)
{
    protected override void Write(StyleGan2Progress value)
    {
        if (value.GeneratorLoss is not null && (value.Step == value.TotalSteps || IsDue()))
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"{value.Images} images, step {value.Step} of {value.TotalSteps}: generator loss {value.GeneratorLoss:0.000}, "
                + $"discriminator loss {value.DiscriminatorLoss:0.000}, augmentation {value.AugmentationProbability:0.000}, "
                + $"{value.ImagesPerSecond:0.0} images/s, {value.Remaining:hh\\:mm\\:ss} left."));
        }

        if (value.FrechetDistance is { } distance)
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"{value.Images} images: Frechet distance {distance:0.00}, kernel distance {value.KernelDistance:0.0000}."));
        }

        nextOfAll?.Report(value);
    }
}
