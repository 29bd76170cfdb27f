using MLTransfer.Torch.Networks.StyleGan2;
using TorchSharp.Modules;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>Which parameters a run trains.</summary>
internal static class FrozenBlocks
{
    public static IEnumerable<(string Name, Parameter Parameter)> TrainableParameters(
        StyleGan2Generator generator, AdversarialTrainingOptions options)
    {
        var frozen = StyleGan2Configuration.Resolutions(generator.ImageResolution)
            .Take(options.FrozenSynthesisBlocks).Select(StyleGan2Generator.BlockPrefix).ToList();
        if (options.FreezeMapping)
            frozen.Add("mapping.");
        return Without(generator.named_parameters(), frozen);
    }

    public static IEnumerable<(string Name, Parameter Parameter)> TrainableParameters(
        StyleGan2Discriminator discriminator, AdversarialTrainingOptions options)
    {
        var frozen = StyleGan2Configuration.Resolutions(discriminator.ImageResolution).Reverse()
            .Take(options.FrozenDiscriminatorBlocks).Select(StyleGan2Discriminator.BlockPrefix).ToList();
        return Without(discriminator.named_parameters(), frozen);
    }

    /// <exception cref="ArgumentException">Nothing would be left to train.</exception>
    public static void Check(StyleGan2Model model, AdversarialTrainingOptions options)
    {
        var blocks = StyleGan2Configuration.Resolutions(model.Generator.ImageResolution).Count();
        if (options.FrozenDiscriminatorBlocks >= blocks)
        {
            throw new ArgumentException(
                $"{nameof(options.FrozenDiscriminatorBlocks)} is {options.FrozenDiscriminatorBlocks}; "
                    + $"expected less than the discriminator's {blocks} blocks.",
                nameof(options));
        }

        if (options.FrozenSynthesisBlocks >= blocks)
        {
            throw new ArgumentException(
                $"{nameof(options.FrozenSynthesisBlocks)} is {options.FrozenSynthesisBlocks}; "
                    + $"expected less than the generator's {blocks} blocks.",
                nameof(options));
        }
    }

    private static IEnumerable<(string Name, Parameter Parameter)> Without(
        IEnumerable<(string name, Parameter parameter)> parameters, List<string> prefixes) =>
        parameters.Where(p => !prefixes.Any(prefix => p.name.StartsWith(prefix, StringComparison.Ordinal)))
            .Select(p => (p.name, p.parameter));
}
