// Draws scenes and trains the embedded generator of pictures from captions on them, from random weights: a discrete VAE.
//   dotnet run --project eng/MakeScenesModel -c Release -- FOLDER [SHARE]
// FOLDER gets the runs' checkpoints and metrics, training.log, and pictures of what was measured. A run that was cut off goes on. SHARE
// of the steps, such as 0.03, is for a trial.
using System.Diagnostics;
using System.Globalization;
using MakeScenesModel;
using MLTransfer.Making;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using TextToImage.Scenes;
using static TorchSharp.torch;

const int Seed = 1;
const int CodecSteps = 4_000;
const int MeasuredScenes = 240;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not ([_] or [_, _]))
{
    Console.Error.WriteLine("Usage: MakeScenesModel FOLDER [SHARE]");
    return 1;
}

var clock = Stopwatch.StartNew();
var share = args.Length > 1 ? double.Parse(args[1]) : 1;
var (folder, log) = (args[0], new TrainingLog(args[0]));
int Steps(int all) => Math.Max(12, (int)(share * all));

using var codec = new CodecStage(Path.Combine(folder, "codec"), Seed, log).Run(Steps(CodecSteps), share);
var stored = Directory.CreateDirectory(Path.Combine(folder, "codec", "float16")).FullName;
codec.Save(stored, ScalarType.Float16);
using var shipped = DiscreteVaeModel.Load(stored); // measured as it is shipped
CodecStage.Measure(shipped, "day", SceneStyle.Day, Steps(MeasuredScenes), folder, log);
CodecStage.Measure(shipped, "night", SceneStyle.Night, Steps(MeasuredScenes), folder, log);
var size = new DirectoryInfo(stored).EnumerateFiles().Sum(file => file.Length);
log.Write($"codec {size / 1e6:F2} MB; {clock.Elapsed.TotalMinutes:F1} minutes");
return 0;
