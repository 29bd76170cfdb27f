using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The losses of two players (arXiv 2010.05646, section 2.4): means over rows, of one part of the discriminator after
/// another.</summary>
internal static class SpeechLosses
{
    /// <summary>How far logits are from 1, which real sounds are to have, and made ones by the other player: of each part.</summary>
    public static IReadOnlyList<Tensor> ToOne(IEnumerable<Tensor> logits) => [.. logits.Select(part => (1 - part).square().mean())];

    /// <summary>How far logits are from 0, which made sounds are to have: of each part.</summary>
    public static IReadOnlyList<Tensor> ToZero(IEnumerable<Tensor> logits) => [.. logits.Select(part => part.square().mean())];

    /// <summary>How far feature maps of made sounds are from those of real ones.</summary>
    public static Tensor Features(IReadOnlyList<IReadOnlyList<Tensor>> real, IReadOnlyList<IReadOnlyList<Tensor>> made) =>
        Sum(real.SelectMany(part => part).Zip(made.SelectMany(part => part), (first, second) => (first.detach() - second).abs().mean()));

    public static Tensor Sum(IEnumerable<Tensor> losses) => losses.Aggregate((sum, loss) => sum + loss);

    /// <summary>The mean distance of log-mel spectrograms.</summary>
    public static Tensor Mel(SpeechPass pass, SpeechSpectra spectra) =>
        (pass.MelTarget - spectra.LogMel(spectra.Magnitudes(pass.Made.squeeze(1)))).abs().mean();
}
