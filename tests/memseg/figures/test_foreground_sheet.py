import cv2
import numpy as np

from memseg.figures.foreground import MOST_IMAGES, foreground_sheet


def test_the_outside_is_dimmed_and_the_inside_is_as_it_was() -> None:
    image = np.full((1, 3, 64, 64), 200, np.uint8)
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 20:40, 20:40] = True
    sheet = cv2.imdecode(np.frombuffer(foreground_sheet(image, mask), np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape == (76, 76, 3)
    assert (sheet[6 + 30, 6 + 30] == 200).all()
    assert (sheet[6 + 5, 6 + 5] == 70).all()
    assert not (sheet[6 + 20, 6 + 30] == 200).all()  # the outline


def test_many_images_are_cut_to_what_a_person_looks_at() -> None:
    images = np.zeros((30, 3, 32, 32), np.uint8)
    sheet = foreground_sheet(images, np.ones((30, 32, 32), bool))
    picture = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[:2] == (MOST_IMAGES // 4 * 38 + 6, 4 * 38 + 6)
