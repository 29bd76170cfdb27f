// Arguments: what to do, then
// dispose: seconds, a seed, a folder with text.zip, image.zip, network.zip and the ONNX export onnx, where it may write too
// save:    a model file, and the file that it is saved to; the process dies in the middle
// serve:   the arguments of the web application, which serves storyteller.zip of the current folder
using System.Globalization;
using Microsoft.ML;
using MLTransfer;
using MLTransfer.Tests.ChildProcess;
using MLTransfer.Tests.Pages;
using MLTransfer.Torch.Tests.TrainingProcess;

switch (args[0])
{
    case "dispose":
        return DisposalStress.Run(
            TimeSpan.FromSeconds(double.Parse(args[1], CultureInfo.InvariantCulture)), int.Parse(args[2], CultureInfo.InvariantCulture),
            args[3]);
    case "save":
        var ml = new MLContext();
        var model = ml.Model.Load(args[1], out var schema);
        FileSizeLimit.Set(FileSizeLimit.Consequence.Death, bytes: (ulong)new FileInfo(args[1]).Length / 2);
        ml.Generation.Save(model, schema, args[2]);
        return 0;
    case "serve":
        ServingProgram.Run(args[1..]);
        return 0;
    default:
        throw new ArgumentException($"Unknown work '{args[0]}'.");
}
