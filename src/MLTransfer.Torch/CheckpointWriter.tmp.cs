namespace MLTransfer.Torch.Checkpoints;
static class CheckpointWriter { public static void Write(string folder, System.Collections.Generic.IEnumerable<System.Collections.Generic.KeyValuePair<string,TorchSharp.torch.Tensor>> t, TorchSharp.torch.ScalarType? s)=>SafetensorsWriter.Write(System.IO.Path.Combine(folder,"model.safetensors"),t,null,s); }
