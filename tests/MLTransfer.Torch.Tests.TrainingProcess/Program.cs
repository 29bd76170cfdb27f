using MLTransfer.Torch.Tests.Training;
using MLTransfer.Torch.Tests.TrainingProcess;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

// Trains TinyRun in a process of its own, to be killed or to run out of disk.
// Arguments: the output directory, the kind of run, what happens, and the step at which it happens. Or: nothing, MeasureMemory, and what is
// trained; or: nothing, MeasureLogits, and what for; or: nothing and MeasureProducts; or: nothing and Wait; or: a
// checkpoint's folder, MakeCheckpoint or MeasureCheckpoint, its size, and the format of frozen matrices, if any.
if (args[1] is "MakeCheckpoint" or "MeasureCheckpoint")
{
    if (args[1] == "MakeCheckpoint")
        MeasuredCheckpoint.Make(args[0], args[2]);
    else
        MeasuredCheckpoint.Train(args[0], args[2], args.ElementAtOrDefault(3) ?? "");
    return 0;
}

if (args[1] == "MeasureProducts")
{
    MeasuredProducts.Run();
    return 0;
}

if (args[1] == "Wait")
{
    Console.WriteLine($"{new LanguageTrainingOptions()} on {get_num_threads()} threads");
    return 0;
}

set_num_threads(1);
if (args[1] == "MeasureLogits")
{
    MeasuredLogits.Run(args[2]);
    return 0;
}

if (args[1] == "MeasureMemory")
{
    MeasuredTraining.Run(args[2]);
    return 0;
}

var (folder, kind, misfortune, step) = (args[0], Enum.Parse<TinyRunKind>(args[1]), args[2], int.Parse(args[3]));
using var model = TinyRun.CreateModel(kind);
try
{
    TinyRun.Create(model, kind, folder, checkpointLimit: misfortune == "die-in-a-deletion" ? 1 : 0).Train(new ProgressCallback(report =>
    {
        if (report.Step < step)
            return;
        switch (misfortune)
        {
            case "wait-to-be-killed":
                Console.WriteLine($"step {report.Step}");
                Thread.Sleep(30); // the run still goes on when the signal arrives
                break;
            case "die-in-a-deletion":
                DeathInADeletion.Prepare(Path.Combine(folder, "checkpoint-3"));
                break;
            case "die-in-a-write":
                FileSizeLimit.Set(FileSizeLimit.Consequence.Death);
                break;
            case "disk-full":
                FileSizeLimit.Set(FileSizeLimit.Consequence.Error);
                break;
            case "refused":
                break;
            default:
                throw new ArgumentException($"Unknown misfortune '{misfortune}'.");
        }
    }));
}
catch (IOException exception) when (misfortune is "disk-full" or "refused")
{
    Console.WriteLine(exception.Message);
    return 3;
}

return 0;
