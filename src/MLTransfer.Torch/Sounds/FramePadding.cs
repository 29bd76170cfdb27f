namespace MLTransfer.Torch.Sounds;

/// <summary>What stands before and after a sound when it is cut into frames.</summary>
public enum FramePadding
{
    /// <summary>Nothing: frames lie within the sound.</summary>
    None,

    /// <summary>Half a frame of the sound, mirrored: the first frame has its middle at the first sample.</summary>
    MirroredHalfFrame,

    /// <summary>Half a frame of zeros.</summary>
    ZeroHalfFrame,

    /// <summary>Half of what a frame and a hop differ by, mirrored: there is a frame for every whole hop, as vocoders want it.</summary>
    MirroredToHops,
}
