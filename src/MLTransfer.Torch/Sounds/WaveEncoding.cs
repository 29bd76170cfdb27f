namespace MLTransfer.Torch.Sounds;

/// <summary>How a WAV file holds samples.</summary>
public enum WaveEncoding
{
    /// <summary>Integers of 16 bits; what is beyond full scale is clipped.</summary>
    Pcm16,

    /// <summary>Integers of 24 bits; what is beyond full scale is clipped.</summary>
    Pcm24,

    /// <summary>Float of 32 bits: the samples as they are.</summary>
    Float32,
}
