using System.Diagnostics;
using System.Globalization;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML.Runtime;

namespace MLTransfer.Images;

/// <summary>Tells <c>MLContext.Log</c> and the caller how training goes on.</summary>
internal sealed class ImageTrainingLog(IChannel channel, IProgress<StyleGan2Progress>? next) : IProgress<StyleGan2Progress>
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private long _lastMessage;

    public void Report(StyleGan2Progress value)
    {
        if (value.Step == value.TotalSteps || IsDue())
        {
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"{value.Images} images, step {value.Step} of {value.TotalSteps}: generator loss {value.GeneratorLoss:0.000}, discriminator loss "
                + $"{value.DiscriminatorLoss:0.000}, augmentation {value.AugmentationProbability:0.000}, {value.ImagesPerSecond:0.0} images/s, "
                + $"{value.Remaining:hh\\:mm\\:ss} left."));
        }

        if (value.FrechetDistance is { } distance)
            channel.Info(string.Create(CultureInfo.InvariantCulture, $"{value.Images} images: Frechet distance {distance:0.00}, kernel distance {value.KernelDistance:0.0000}."));
        next?.Report(value);
    }

    private bool IsDue()
    {
        if (_lastMessage != 0 && Stopwatch.GetElapsedTime(_lastMessage) < s_interval)
            return false;
        _lastMessage = Stopwatch.GetTimestamp();
        return true;
    }
}
