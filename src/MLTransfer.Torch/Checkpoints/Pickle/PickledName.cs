namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>The name of a Python object that nothing here stands for. It may be a key of a dictionary, whose entry is left out; whatever
/// else a pickle does with it is refused.</summary>
/// <param name="Name">With its module.</param>
/// <param name="Position">Behind it, in the pickle.</param>
internal sealed record PickledName(string Name, int Position);
