using MLTransfer.Persistence;

namespace MLTransfer.Audio;

/// <summary>What a saved <see cref="AudioTransformer"/> consists of.</summary>
internal sealed record AudioManifest : ModelManifest
{
    public required string Output { get; init; }

    public required string Input { get; init; }

    public required AudioOperation Operation { get; init; }

    public override void Check()
    {
        base.Check();
        if (string.IsNullOrWhiteSpace(Output) || string.IsNullOrWhiteSpace(Input))
            throw new ArgumentException("a column's name is blank");
        Operation.Check();
    }
}
