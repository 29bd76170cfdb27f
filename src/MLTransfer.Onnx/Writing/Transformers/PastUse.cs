namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>What a graph does with keys and values of positions that were read before.</summary>
internal enum PastUse
{
    /// <summary>It knows none.</summary>
    None,

    /// <summary>It reads a text's beginning and gives its keys and values.</summary>
    Given,

    /// <summary>It takes those of what was read and gives them with those of what it reads.</summary>
    Continued,

    /// <summary>One file for both, as Optimum merges them: <c>use_cache_branch</c> tells whether there is something to continue.</summary>
    Either,
}
