// Arguments: what to do, then
// dispose: seconds, a seed, and a folder with text.zip, image.zip and network.zip, where it may write too
// save:    a model file, and the file that it is saved to; the process dies in the middle
// experiment: a model's folder, a folder, a number of trials, the trial and step at which its process dies, and processes at a time,
//          -1 for not said
// processes: how the program comes to its experiments (main, async, task, never, other), and the folder for temporary files
// fit:     a model's folder; prints what is logged
// serve:   the assembly of a web application, and its arguments
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Microsoft.ML;
using MLTransfer;
using MLTransfer.Tests.ChildProcess;
using MLTransfer.Tests.Experiments;
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
    case "experiment":
        int[] numbers = [.. args[3..].Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
        var experiment = TextExperiment.Create(new MLContext(seed: 1), args[1], args[2], (trial, step) =>
        {
            if (trial == numbers[1] && step == numbers[2])
                Process.GetCurrentProcess().Kill();
        });
        if (numbers[3] >= 0)
            experiment.SetTrialProcesses(numbers[3]);
        experiment.SetMaxModelToExplore(1).Run(); // and then further
        experiment.SetMaxModelToExplore(numbers[0]).Run();
        return 0;
    case "processes":
        return await ProcessExperiments.RunAsync(args[1], args[2]);
    case "fit":
        var logging = new MLContext(seed: 1);
        logging.Log += (_, message) => Console.WriteLine(message.Message);
        logging.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", new TextGeneratorOptions
        {
            PretrainedModel = args[1], Training = new() { MaximumSteps = 1, Threads = 2 },
        }).Fit(TextExperiment.Rows(logging, 0, 4)).Dispose();
        return 0;
    case "serve":
        Assembly.LoadFrom(args[1]).EntryPoint!.Invoke(null, [args[2..]]);
        return 0;
    default:
        throw new ArgumentException($"Unknown work '{args[0]}'.");
}
