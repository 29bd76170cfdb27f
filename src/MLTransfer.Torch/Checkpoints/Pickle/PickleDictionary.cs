namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>A Python dict or OrderedDict. Keys are strings, or longs, so that hashing one never walks through a structure.</summary>
internal sealed class PickleDictionary : OrderedDictionary<object, object?>;
