using static TorchSharp.torch;
namespace MLTransfer.Torch.Checkpoints;
internal sealed class PickledFile : Checkpoint
{
    private PickledFile(string l) : base(l) {}
    public static new PickledFile Open(string path) => new(path);
    public override IReadOnlyDictionary<string, TensorInfo> Tensors => throw new NotSupportedException();
    public override Tensor Read(string name) => throw new NotSupportedException();
    protected override void Dispose(bool disposing) {}
}
