namespace Numbers.Settings;

internal sealed record OnnxSettings
{
    public string Precision { get; init; } = "Float32";

    public bool Fused { get; init; }

    public bool SeparateAdapter { get; init; }

    public bool TransformersJs { get; init; }

    public bool WithoutPast { get; init; } = true;

    public bool Check { get; init; }
}
