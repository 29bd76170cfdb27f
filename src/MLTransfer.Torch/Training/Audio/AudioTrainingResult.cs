namespace MLTransfer.Torch.Training.Audio;

/// <summary>How the training of a network of sounds ended.</summary>
public abstract record AudioTrainingResult : EpochTrainingResult;
