namespace MLTransfer.Torch.Sounds;

/// <summary>How hertz become mel.</summary>
public enum MelScale
{
    /// <summary>Linear up to 1000 Hz, logarithmic above (M. Slaney, Auditory Toolbox, 1998). Vocoders and VITS use it.</summary>
    Slaney,

    /// <summary>2595 log10(1 + f / 700), of the Hidden Markov Model Toolkit.</summary>
    Htk,
}
