namespace MLTransfer.Torch.Checkpoints;

/// <summary>The names that Hugging Face's libraries give to files of weights.</summary>
internal static class CheckpointFiles
{
    public const string Safetensors = "model.safetensors";
    public const string SafetensorsIndex = "model.safetensors.index.json";
    public const string Pickle = "pytorch_model.bin";
    public const string Encoder = "encoder.safetensors";
    public const string Decoder = "decoder.safetensors";
    public const string PickleIndex = "pytorch_model.bin.index.json";
}
